//! What a store does with its table, the same in every database.

/// The operations of a store that has `sql`, the
/// [`Statements`](super::table::Statements), and can `read`, `write` and
/// `create`. A macro, since the databases of sqlx have no trait in common that
/// would let one write this down without a page of bounds.
macro_rules! operations {
    ($store:ty) => {
        impl $store {
            async fn find(&self, key: &Key) -> Result<Option<Found>, StoreError> {
                let query = || sqlx::query_as(self.sql.load.clone()).bind(key.as_bytes().to_vec());
                let row = self.read(query, |connection, query| Box::pin(query.fetch_optional(connection))).await?;
                Ok(row.flatten().map(row::found))
            }

            async fn set(&self, key: &Key, seen: Option<u64>, next: Option<&Entry>) -> Result<bool, StoreError> {
                let (key_bytes, version) = (key.as_bytes().as_slice(), row::fresh_version()?);
                let written = match (seen, next) {
                    (None, None) => return Ok(self.find(key).await?.is_none()),
                    (None, Some(entry)) => {
                        let insert = || {
                            let query = sqlx::query(self.sql.insert.clone()).bind(key_bytes).bind(version);
                            query.bind(row::expires(entry)).bind(&*entry.bytes)
                        };
                        match self.write(insert).await? {
                            Written::NoTable => {
                                self.create().await?;
                                self.write(insert).await?
                            }
                            written => written,
                        }
                    }
                    (Some(seen), Some(entry)) => {
                        let update = || {
                            let query = sqlx::query(self.sql.update.clone()).bind(version).bind(row::expires(entry));
                            query.bind(&*entry.bytes).bind(key_bytes).bind(row::column(seen))
                        };
                        self.write(update).await?
                    }
                    (Some(seen), None) => {
                        let delete = || sqlx::query(self.sql.delete.clone()).bind(key_bytes).bind(row::column(seen));
                        self.write(delete).await?
                    }
                };
                Ok(written == Written::Rows(1))
            }

            async fn cut(&self, key: &Key) -> Result<bool, StoreError> {
                let remove = || sqlx::query(self.sql.remove.clone()).bind(key.as_bytes().as_slice());
                Ok(self.write(remove).await? == Written::Rows(1))
            }

            async fn page(&self, from: Option<Cursor>, at_most: usize) -> Result<Page, StoreError> {
                let (after, limit) = (row::after(from.as_ref()), row::limit(at_most));
                let query = || sqlx::query_as(self.sql.list.clone()).bind(after.clone()).bind(limit);
                let rows = self.read(query, |connection, query| Box::pin(query.fetch_all(connection))).await?;
                Ok(row::page(rows.unwrap_or_default(), at_most))
            }

            async fn count_all(&self) -> Result<u64, StoreError> {
                let query = || sqlx::query_scalar(self.sql.count.clone());
                let count = self.read(query, |connection, query| Box::pin(query.fetch_one(connection))).await?;
                Ok(row::count(count))
            }
        }
    };
}

pub(super) use operations;
